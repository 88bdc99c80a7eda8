sy_test(test_registry SOURCES unit/test_registry.c LINKS sy_drivers)
