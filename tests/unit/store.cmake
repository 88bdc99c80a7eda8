sy_test(test_store SOURCES unit/test_store.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_outbox SOURCES unit/test_store_outbox.c unit/store_rig.c LINKS sy_store)
sy_test(test_store_fault SOURCES unit/test_store_fault.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_leaves SOURCES unit/test_store_leaves.c unit/store_rig.c LINKS sy_store)
