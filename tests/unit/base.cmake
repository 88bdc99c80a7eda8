sy_test(test_base SOURCES unit/test_base.c LINKS sy_base)
sy_test(test_zone SOURCES unit/test_zone.c LINKS sy_base)
sy_test(test_merkle SOURCES unit/test_merkle.c LINKS sy_base)
