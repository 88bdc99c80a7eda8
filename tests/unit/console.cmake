sy_test(test_console_door SOURCES unit/test_console_door.c LINKS sy_console)
