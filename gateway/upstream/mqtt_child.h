/*
 * The process that speaks MQTT for one destination (mqtt_process.h): its whole life.
 *
 * One connection, by Paho over OpenSSL. Events come in on standard input, a socket; each goes to
 * the broker at QoS 1, and each PUBACK goes back. It ends when its input ends, when the connection
 * is lost, and with its parent.
 */
#ifndef SY_MQTT_CHILD_H
#define SY_MQTT_CHILD_H

int sy_mqtt_child(int argc, char **argv);

#endif
