/*
 * What the kernel says of the box: files of /proc and /sys, read anew by each call. NaN, or -1:
 * this box does not say. `root` is put before the paths ("" in production). Any thread.
 */
#ifndef SY_SENSES_H
#define SY_SENSES_H

/* °C, the hottest zone of /sys/class/thermal (Documentation/ABI/testing/sysfs-class-thermal);
 * zones that say nothing between -50 and 150 °C are passed over. */
double sy_sense_temperature(const char *root);
/* /proc/loadavg of one minute, by processor that is online. */
double sy_sense_load(const char *root);
/* MemAvailable of MemTotal, in percent (/proc/meminfo). */
double sy_sense_memory(const char *root);
/* 1: a supply of type Mains or USB is online, 0: there are such and none is; -1
 * (/sys/class/power_supply, Documentation/ABI/testing/sysfs-class-power). */
int sy_sense_mains(const char *root);
/* Capacity in percent of the fullest battery that supplies the system. */
double sy_sense_battery(const char *root);

#endif
