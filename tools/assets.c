/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the static files of the console as a table sy_assets, so that its pages need no file at
 * run time. usage: assets OUTPUT.c NAME=FILE … (NAME: the path in the URL, without the slash)
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".png", "image/png"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return NULL;
}

/* The bytes as an array, their hash into tag. */
static int put_bytes(FILE *out, const char *file, int number, size_t *n, char tag[33])
{
    FILE *in = fopen(file, "rb");
    sy_sha256 h;
    unsigned char sum[32];
    if (!in) {
        perror(file);
        return 1;
    }
    sy_sha256_init(&h);
    *n = 0;
    fprintf(out, "static const char file_%d[] = {", number);
    for (int c; (c = fgetc(in)) != EOF; (*n)++) {
        char byte = (char)c;
        sy_sha256_add(&h, &byte, 1);
        fprintf(out, "%s%d,", *n % 24 ? "" : "\n    ", byte);
    }
    fprintf(out, "\n    0};\n");
    sy_sha256_end(&h, sum);
    sy_hex(sum, 16, tag);
    int bad = ferror(in);
    return fclose(in) != 0 || bad;
}

int main(int argc, char **argv)
{
    enum { MOST = 64 };
    static size_t sizes[MOST];
    static char tags[MOST][33];
    if (argc < 3 || argc - 2 > MOST) {
        fprintf(stderr, "usage: assets OUTPUT.c NAME=FILE ...\n");
        return 2;
    }
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror(argv[1]);
        return 1;
    }
    fprintf(out, "/* Made by tools/assets.c. */\n#include \"console/asset.h\"\n\n");
    for (int i = 2; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (!equals || put_bytes(out, equals + 1, i, &sizes[i - 2], tags[i - 2]))
            return 1;
        *equals = 0;
        if (!type_of(argv[i])) {
            fprintf(stderr, "assets: what type has %s?\n", argv[i]);
            return 1;
        }
    }
    fprintf(out, "\nconst sy_asset sy_assets[] = {\n");
    for (int i = 2; i < argc; i++)
        fprintf(out, "    {\"/%s\", \"%s\", \"\\\"%s\\\"\", {file_%d, %zu}},\n", argv[i],
                type_of(argv[i]), tags[i - 2], i, sizes[i - 2]);
    fprintf(out, "};\nconst size_t sy_assets_count = %d;\n", argc - 2);
    int bad = ferror(out);
    return fclose(out) != 0 || bad;
}
