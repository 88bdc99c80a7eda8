sy_test(test_verify SOURCES unit/test_verify.c LINKS sy_verify sy_sender)
sy_test(test_ledger SOURCES unit/test_ledger.c unit/store_rig.c LINKS sy_ledger)
sy_test(test_evidence SOURCES unit/test_evidence.c LINKS sy_verify)
sy_test(test_jws SOURCES unit/test_jws.c LINKS sy_verify sy_sender PkgConfig::GNUTLS)
