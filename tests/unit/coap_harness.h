/*
 * For the tests of the CoAP server: an intake that keeps a list, a device's side made of raw
 * datagrams, and the server between them.
 */
#ifndef SY_COAP_HARNESS_H
#define SY_COAP_HARNESS_H

#include <pthread.h>

#include "drivers/coap/coap.h"

enum { H_KEPT = 256, H_TYPE_CON = 0, H_TYPE_NON = 1, H_TYPE_ACK = 2, H_POST = 2, H_PUT = 3 };

typedef struct h_kept {
    sy_message m; /* spans point into the fields below */
    char source[64], ident[64];
    char *payload;
} h_kept;

typedef struct harness {
    sy_intake intake;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    h_kept kept[H_KEPT];
    size_t n_kept, submits;
    size_t rejected[SY_REJECT_COUNT];
    char detail[200], refused[80], word[40]; /* of the last refusal: why, who, in a word */
    sy_err answer;                           /* what submit gives; SY_OK: it keeps */
    sy_registry_slot *devices;
    sy_coap *server;
    int fd; /* the device's socket, connected to the server */
    char dir[64];
} harness;

/* A server on a free port with the devices of the harness. psk: lines for a file of keys, or NULL.
 */
void h_start(harness *h, bool strict, const char *psk);
/* The same in two steps, so that there is a folder for files before the server reads them. files:
 * DTLS beside UDP, or NULL. */
void h_begin(harness *h, bool strict);
void h_serve(harness *h, const sy_coap_files *files);
/* Other devices than those of the harness; they must outlive it. */
void h_devices(harness *h, const sy_device *v, size_t n);
void h_stop(harness *h);
/* Another server on the same port, without keys; what is kept stays. */
void h_restart(harness *h);
/* Another device's socket. */
int h_socket(const harness *h);
/* Wait until n messages are kept, or submitted; fails the test after 8 s. */
void h_wait_kept(harness *h, size_t n);
void h_wait_submits(harness *h, size_t n);
void h_wait_rejected(harness *h, sy_reject why, size_t n);
size_t h_rejected(harness *h, sy_reject why);

/* A CoAP datagram in the making. Options in ascending order. */
typedef struct datagram {
    unsigned char b[2048];
    size_t n;
    unsigned last;
} datagram;
datagram d_begin(int type, int code, unsigned mid, const char *token);
void d_option(datagram *d, unsigned number, const void *value, size_t n);
void d_option_uint(datagram *d, unsigned number, unsigned value);
void d_path(datagram *d, const char *device);
void d_payload(datagram *d, const void *bytes, size_t n);
void d_send(int fd, const datagram *d);

/* An answer taken apart. code is as 204; 0 with type ACK is an empty one. */
typedef struct reply {
    bool none; /* nothing came */
    int type, code;
    unsigned mid;
    char token[9];
    size_t n_token;
    int block1, block2, observe, size1; /* -1: not there */
    char path[64];                      /* of a request: "/r/x?query" */
    char text[512];
} reply;
reply d_parse(const unsigned char *b, size_t n);
reply d_receive(int fd, int timeout_ms);
reply d_exchange(int fd, const datagram *d);
/* A confirmable POST of text to /r/<device>, and its answer. */
reply d_post(int fd, unsigned mid, const char *device, const char *text);

/* Run a shell command; its output, which the caller frees. */
char *h_shell(const char *command);
/* A file in the harness's folder; its name, which the caller frees. */
char *h_file(harness *h, const char *name, const void *bytes, size_t n);

#endif
