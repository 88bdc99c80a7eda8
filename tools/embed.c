/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a text file as a constant sy_source, so that the vocabulary that ships needs no file at
 * run time. Bytes are written as numbers: a string literal of that length is beyond what C
 * promises.
 */
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: embed INPUT OUTPUT.c NAME SHOWN\n");
        return 2;
    }
    FILE *in = fopen(argv[1], "rb"), *out = in ? fopen(argv[2], "w") : NULL;
    if (!out) {
        perror("embed");
        return 1;
    }
    fprintf(out, "/* Made by tools/embed.c. */\n#include \"rules/vocab.h\"\n\n"
                 "static const char bytes[] = {");
    size_t n = 0;
    for (int c; (c = fgetc(in)) != EOF; n++)
        fprintf(out, "%s%d,", n % 20 ? " " : "\n    ", c < 128 ? c : c - 256);
    fprintf(out, "\n    0};\nconst sy_source %s = {\"%s\", {bytes, %zu}};\n", argv[3], argv[4], n);
    int bad = ferror(in) || ferror(out);
    bad |= fclose(in) != 0;
    bad |= fclose(out) != 0;
    return bad ? 1 : 0;
}
