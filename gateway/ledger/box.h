/*
 * Which box is this? A card that is copied into another box goes on with the same key and the same
 * past; what tells them apart is the box itself.
 */
#ifndef SY_BOX_H
#define SY_BOX_H

#include "base/os.h"

/* SHA-256, hex, over what names this machine: the content of `file` where it is given, else the
 * first that can be read of the device tree's serial number, the DMI product UUID and
 * /etc/machine-id. Only the hash leaves the box. SY_E_NOTFOUND: nothing names it (*id is ""). */
SY_MUST_USE sy_err sy_box_id(const char *file, char id[65], sy_fail *f);

#endif
