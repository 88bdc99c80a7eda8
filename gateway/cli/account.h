/*
 * Who gives a command, for the ledger.
 */
#ifndef SY_CLI_ACCOUNT_H
#define SY_CLI_ACCOUNT_H

/* The name of the account, of the one behind sudo; borrowed, until the next call. One thread. */
const char *sy_cli_account(void);

#endif
