/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard decode: what is in a device's payload, as the formats see it, one JSON object a line.
 * No configuration takes part, so units, names and times are those of the message.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/decode_map.h"
#include "drivers/formats/format.h"

enum { MAX_FILE = 1 << 20, MAX_MODELS = 512 };

static void usage(FILE *out)
{
    fputs(
        "usage: steelyard decode [--format NAME] [--model NAME] [--registers MAP] [--lines] "
        "FILE…\n\n"
        "Print the readings in each payload file as JSON lines:\n"
        "  {\"name\", \"value\", \"unit\", \"time\" (epoch seconds, or null), \"quality\"}\n"
        "Without --format the format is found from the bytes. A file NAME.hex holds them in\n"
        "hexadecimal. A frame of Modbus does not say what its registers mean: --registers names a\n"
        "register map, one that ships or a file; without it the first one that ships that the\n"
        "frame fits is taken, and the readings are uncertain. Formats with tables by model take "
        "the\n"
        "device's model from --model, else from the file's name, up to '_' or '.'\n"
        "(em300-th_1.hex). With --lines each line of a file is "
        "a payload, as `export --format senml`\n"
        "writes them.\n\nformats:",
        out);
    for (size_t i = 0; sy_formats[i]; i++)
        fprintf(out, " %s", sy_formats[i]->name);
    fputs("\n\nExit codes: 0 fine, 1 a file could not be decoded, 2 wrong usage.\n", out);
}

static void put_value(sy_buf *out, const sy_record *r)
{
    switch (r->kind) {
    case SY_REC_NUMBER:
        sy_buf_double(out, r->number);
        break;
    case SY_REC_BOOL:
        sy_buf_text(out, r->number != 0 ? "true" : "false");
        break;
    case SY_REC_TEXT:
        sy_buf_json(out, r->text);
        break;
    case SY_REC_NULL:
        sy_buf_text(out, "null");
        break;
    }
}

static sy_err print_record(void *ctx, const sy_record *r)
{
    sy_buf *out = ctx;
    sy_buf_text(out, "{\"name\":");
    sy_buf_json(out, r->name);
    sy_buf_text(out, ",\"value\":");
    put_value(out, r);
    sy_buf_text(out, ",\"unit\":");
    if (r->unit.n > 0)
        sy_buf_json(out, r->unit);
    else
        sy_buf_text(out, "null");
    sy_buf_text(out, ",\"time\":");
    if (r->has_time && !r->time_relative)
        sy_buf_double(out, r->time_s);
    else
        sy_buf_text(out, "null");
    sy_buf_text(out, ",\"quality\":\"");
    sy_quality_text(r->quality, out);
    sy_buf_char(out, '"');
    if (r->device.n > 0) {
        sy_buf_text(out, ",\"device\":");
        sy_buf_json(out, r->device);
    }
    sy_buf_text(out, "}\n");
    return out->failed ? SY_E_NOMEM : SY_OK;
}

/* A file NAME.hex holds the bytes in hexadecimal, white space aside. */
static sy_err unhex(const char *path, sy_buf *bytes, sy_fail *f)
{
    size_t n = strlen(path), to = 0;
    int high = -1;
    if (n < 4 || strcmp(path + n - 4, ".hex") != 0)
        return SY_OK;
    for (size_t i = 0; i < bytes->n; i++) {
        char c = bytes->p[i];
        if (memchr(" \t\r\n", c, 4))
            continue;
        int d = sy_hex_digit(c);
        if (d < 0)
            return sy_fail_set(f, SY_E_PARSE, "%s: not hexadecimal at byte %zu", path, i);
        if (high >= 0)
            bytes->p[to++] = (char)(high << 4 | d);
        high = high >= 0 ? -1 : d;
    }
    if (high >= 0)
        return sy_fail_set(f, SY_E_PARSE, "%s: an odd number of hexadecimal digits", path);
    bytes->n = to;
    return SY_OK;
}

static sy_err print_guessed(void *ctx, const sy_record *r)
{
    sy_record guessed = *r;
    guessed.quality = sy_quality_worsen(r->quality, SY_Q_UNCERTAIN, 0);
    return print_record(ctx, &guessed);
}

typedef struct how { /* what the options say */
    const sy_format *format;
    const char *registers;
    const char *model;
} how;

static size_t models_of(const sy_format *format, const char **names)
{
    size_t n = format ? sy_format_models(sy_span_of(format->name), names, MAX_MODELS) : 0;
    return n < MAX_MODELS ? n : MAX_MODELS;
}

static const char *find_model(const sy_format *format, sy_span name)
{
    const char *names[MAX_MODELS];
    for (size_t i = models_of(format, names); i > 0; i--)
        if (sy_span_is(name, names[i - 1]))
            return names[i - 1];
    return NULL;
}

static const char *model_of_file(const sy_format *format, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return find_model(format, (sy_span){name, strcspn(name, "_.")});
}

/* Whether the option --model names one; says which there are where it does not. */
static bool model_known(how *h, const char *model)
{
    const char *names[MAX_MODELS];
    if (!model)
        return true;
    h->model = find_model(h->format, sy_span_of(model));
    if (h->model)
        return true;
    fprintf(stderr, "steelyard decode: %s has no model '%s', but:",
            h->format ? h->format->name : "without --format it", model);
    for (size_t i = 0, n = models_of(h->format, names); i < n; i++)
        fprintf(stderr, " %s", names[i]);
    fputc('\n', stderr);
    return false;
}

/* `where` is the path, or path:line. */
static sy_err decode_bytes(const char *where, sy_span bytes, const how *h, sy_buf *out)
{
    sy_fail f = {0};
    sy_decode_map map;
    const sy_format *format = h->format;
    if (!format)
        format = sy_format_probe(bytes);
    if (!format) {
        fprintf(stderr, "steelyard decode: %s: the bytes are of no known format\n", where);
        return SY_E_UNSUPPORTED;
    }
    sy_err e = sy_decode_map_open(&map, h->registers, format, bytes, &f);
    if (e == SY_OK && map.guessed)
        fprintf(stderr,
                "steelyard decode: %s: taken for registers of %s; --registers names others\n",
                where, map.modbus.map->name);
    const sy_device by_model = {.model = h->model ? h->model : model_of_file(format, where)};
    if (e == SY_OK)
        e = format->decode(bytes,
                           map.found        ? &map.device
                           : by_model.model ? &by_model
                                            : NULL,
                           map.guessed ? print_guessed : print_record, out, &f);
    sy_decode_map_close(&map);
    if (e != SY_OK)
        fprintf(stderr, "steelyard decode: %s: %s: %s\n", where, format->name,
                f.text[0] ? f.text : sy_err_text(e));
    return e;
}

static bool flush(sy_buf *out)
{
    bool fine = !out->failed && (out->n == 0 || fwrite(out->p, 1, out->n, stdout) == out->n);
    sy_buf_reset(out);
    return fine;
}

static sy_err decode_file(const char *path, const how *h, sy_buf *out)
{
    sy_buf bytes;
    sy_fail f;
    sy_buf_init(&bytes, sy_heap());
    sy_err e = sy_file_read(path, MAX_FILE, &bytes, &f);
    if (e == SY_OK)
        e = unhex(path, &bytes, &f);
    if (e == SY_OK)
        e = decode_bytes(path, sy_buf_span(&bytes), h, out);
    else
        fprintf(stderr, "steelyard decode: %s\n", f.text);
    sy_buf_fini(&bytes);
    return e == SY_OK && !flush(out) ? SY_E_IO : e;
}

/* The next line into room, without its end: how many bytes, -1 at the end of the file. More than
 * cap - 1 bytes: cap. */
static ptrdiff_t next_line(FILE *in, char *room, size_t cap)
{
    size_t n = 0;
    int c;
    while ((c = getc(in)) != EOF && c != '\n' && n < cap)
        room[n++] = (char)c;
    return n == 0 && c == EOF ? -1 : (ptrdiff_t)n;
}

static sy_err decode_lines(const char *path, const how *h, sy_buf *out)
{
    sy_err e = SY_OK;
    FILE *in = fopen(path, "re");
    char *room = malloc(MAX_FILE);
    sy_buf where;
    sy_buf_init(&where, sy_heap());
    if (!in || !room) {
        fprintf(stderr, "steelyard decode: %s: %s\n", path, in ? "no memory" : strerror(errno));
        e = SY_E_IO;
    }
    ptrdiff_t n;
    for (uint64_t line = 1; in && room && (n = next_line(in, room, MAX_FILE)) >= 0; line++) {
        sy_buf_reset(&where);
        sy_buf_printf(&where, "%s:%llu", path, (unsigned long long)line);
        if (n == MAX_FILE) {
            fprintf(stderr, "steelyard decode: %s: a line of 1 MiB or more\n", where.p);
            e = SY_E_RANGE;
            break;
        }
        if (n > 0 && decode_bytes(where.p, (sy_span){room, (size_t)n}, h, out))
            e = SY_E_PARSE;
        if (!flush(out)) {
            e = SY_E_IO;
            break;
        }
    }
    if (in && ferror(in)) {
        fprintf(stderr, "steelyard decode: %s: cannot be read to the end\n", path);
        e = SY_E_IO;
    }
    sy_buf_fini(&where);
    free(room);
    if (in)
        fclose(in);
    return e;
}

int sy_cmd_decode(int argc, char **argv)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"registers", required_argument, NULL, 'r'},
        {"model", required_argument, NULL, 'm'},  {"lines", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    how h = {NULL, NULL, NULL};
    const char *model = NULL;
    bool lines = false;
    int c, status = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 0;
        }
        if (c == 'l' || c == 'r' || c == 'm') {
            lines = lines || c == 'l';
            model = c == 'm' ? optarg : model;
            h.registers = c == 'r' ? optarg : h.registers;
            continue;
        }
        if (c != 'f') {
            usage(stderr);
            return 2;
        }
        h.format = sy_format_find(sy_span_of(optarg));
        if (!h.format) {
            fprintf(stderr, "steelyard decode: there is no format '%s'; see --help\n", optarg);
            return 2;
        }
    }
    if (optind == argc) {
        usage(stderr);
        return 2;
    }
    if (!model_known(&h, model))
        return 2;
    sy_buf out;
    sy_buf_init(&out, sy_heap());
    for (int i = optind; i < argc; i++) {
        if ((lines ? decode_lines : decode_file)(argv[i], &h, &out) != SY_OK)
            status = 1;
    }
    sy_buf_fini(&out);
    if (fflush(stdout) != 0)
        status = 1;
    return status;
}
