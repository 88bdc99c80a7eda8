/*
 * A peer that a test tells what to do with each request of Modbus over TCP: a thread on a port of
 * loopback, one connection at a time.
 */
#ifndef SY_TEST_MODBUS_FAKE_H
#define SY_TEST_MODBUS_FAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { FAKE_ASKED = 12 }; /* bytes of a request to read */

/* With the request's bytes. False: it closes the connection. On the fake's thread. */
typedef bool (*fake_act)(int fd, uint8_t *request);

typedef struct fake {
    int listener, stop[2];
    pthread_t thread;
    fake_act act;
    char address[32]; /* "127.0.0.1:port" */
} fake;

void fake_start(fake *k, fake_act act);
void fake_stop(fake *k);
/* The answer to a request, each of its registers with this value. */
bool fake_answer(int fd, const uint8_t *request, uint16_t value);

#endif
