/*
 * What the box says of itself: the names of the points of a device with `transport: box`. Pure.
 */
#ifndef SY_BOX_H
#define SY_BOX_H

/* X(NAME, text, unit in SenML, what it is); unit NULL: a state */
#define SY_BOX_POINTS(X)                                                                           \
    X(DISK_FREE, "disk-free", "%", "room on the data folder's file system")                        \
    X(DISK_WEAR, "disk-wear", "%", "what the gateway wrote, of what the card can take")            \
    X(TEMPERATURE, "temperature", "Cel", "the hottest of the kernel's thermal zones")              \
    X(SYSTEM_LOAD, "system-load", "/", "processes that want to run, by processor, of one minute")  \
    X(MEMORY_FREE, "memory-free", "%", "memory that can be had")                                   \
    X(UPLINK_DELAY, "uplink-delay", "h", "age of the oldest event that no destination has")        \
    X(MAINS, "mains", NULL, "whether a supply of the mains is on")                                 \
    X(BATTERY, "battery", "%", "charge of the battery of the box")                                 \
    X(CLOCK, "clock", NULL, "whether the kernel's clock is synchronised")                          \
    X(RESTARTS, "restarts", "/", "how often the managed broker had to be started again")

typedef enum sy_box_point {
#define SY_BOX_ENUM(name, text, unit, what) SY_BOX_##name,
    SY_BOX_POINTS(SY_BOX_ENUM)
#undef SY_BOX_ENUM
        SY_BOX_N
} sy_box_point;

#endif
