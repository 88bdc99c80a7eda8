sy_test(test_clock SOURCES unit/test_clock.c LINKS sy_intake)
sy_test(test_journal SOURCES unit/test_journal.c unit/journal_rig.c LINKS sy_intake)
