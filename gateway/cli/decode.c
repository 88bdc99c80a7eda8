/* SPDX-License-Identifier: Apache-2.0 */
/*
 * steelyard decode: what is in a device's payload, as the formats see it, one JSON object a line.
 * No configuration takes part, so units, names and times are those of the message.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "drivers/formats/format.h"

enum { MAX_FILE = 1 << 20 };

static void usage(FILE *out)
{
    fputs("usage: steelyard decode [--format NAME] FILE…\n\n"
          "Print the readings in each payload file as JSON lines:\n"
          "  {\"name\", \"value\", \"unit\", \"time\" (epoch seconds, or null), \"quality\"}\n"
          "Without --format the format is found from the bytes. A file NAME.hex holds them in\n"
          "hexadecimal.\n\nformats:",
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

static int digit_of(char c)
{
    const char *hex = "0123456789abcdef", *at = c ? strchr(hex, c | 0x20) : NULL;
    return at && (c >= 'A' || c <= '9') ? (int)(at - hex) : -1;
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
        int d = digit_of(c);
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

static sy_err decode_file(const char *path, const sy_format *format, sy_buf *out, sy_fail *f)
{
    sy_buf bytes;
    sy_buf_init(&bytes, sy_heap());
    sy_err e = sy_file_read(path, MAX_FILE, &bytes, f);
    if (e == SY_OK)
        e = unhex(path, &bytes, f);
    if (e == SY_OK && !format) {
        format = sy_format_probe(sy_buf_span(&bytes));
        if (!format)
            e = sy_fail_set(f, SY_E_UNSUPPORTED, "%s: the bytes are of no known format", path);
    }
    if (e == SY_OK) {
        f->text[0] = '\0';
        e = format->decode(sy_buf_span(&bytes), NULL, print_record, out, f);
        if (e != SY_OK)
            fprintf(stderr, "steelyard decode: %s: %s: %s\n", path, format->name,
                    f->text[0] ? f->text : sy_err_text(e));
    } else {
        fprintf(stderr, "steelyard decode: %s\n", f->text);
    }
    sy_buf_fini(&bytes);
    return e;
}

int sy_cmd_decode(int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const sy_format *format = NULL;
    int c, status = 0;
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 0;
        }
        if (c != 'f') {
            usage(stderr);
            return 2;
        }
        format = sy_format_find(sy_span_of(optarg));
        if (!format) {
            fprintf(stderr, "steelyard decode: there is no format '%s'; see --help\n", optarg);
            return 2;
        }
    }
    if (optind == argc) {
        usage(stderr);
        return 2;
    }
    for (int i = optind; i < argc; i++) {
        sy_buf out;
        sy_fail f;
        sy_buf_init(&out, sy_heap());
        if (decode_file(argv[i], format, &out, &f) != SY_OK)
            status = 1;
        else if (fwrite(out.p, 1, out.n, stdout) != out.n)
            status = 1;
        sy_buf_fini(&out);
    }
    if (fflush(stdout) != 0)
        status = 1;
    return status;
}
