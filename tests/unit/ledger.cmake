sy_test(test_verify SOURCES unit/test_verify.c LINKS sy_verify sy_sender)
