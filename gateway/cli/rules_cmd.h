/*
 * The parts of `steelyard rules`, one file each; rules.c dispatches. argv[0] is the part's name
 * ("test"); the result is the exit code.
 */
#ifndef SY_CLI_RULES_CMD_H
#define SY_CLI_RULES_CMD_H

int sy_rules_check_main(int argc, char **argv);
int sy_rules_fmt_main(int argc, char **argv);
int sy_rules_tree_main(int argc, char **argv);
int sy_rules_test_main(int argc, char **argv);
int sy_rules_backtest_main(int argc, char **argv);
int sy_rules_mutate_main(int argc, char **argv);
int sy_rules_cover_main(int argc, char **argv);
int sy_rules_explain_main(int argc, char **argv);
int sy_rules_impact_main(int argc, char **argv);
int sy_rules_sign_main(int argc, char **argv);

#endif
