set(upstream_rig unit/upstream_rig.c unit/upstream_peer.c)
sy_test(test_upstream_pure SOURCES unit/test_upstream_pure.c LINKS sy_sender)
sy_test(test_alertmanager SOURCES unit/test_alertmanager.c LINKS sy_sender PkgConfig::JANSSON)
sy_test(test_upstream_send SOURCES unit/test_upstream_send.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_tls SOURCES unit/test_upstream_tls.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_weak SOURCES unit/test_upstream_weak.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_inbox SOURCES unit/test_inbox.c ${upstream_rig} ${CMAKE_SOURCE_DIR}/gateway/cli/inbox.c
    LINKS sy_inbox sy_config sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
target_include_directories(test_inbox PRIVATE ${CMAKE_BINARY_DIR}/inc/sy_cli)
sy_test(test_inbox_desk SOURCES unit/test_inbox_desk.c LINKS sy_inbox PkgConfig::JANSSON PkgConfig::SQLITE)
sy_test(test_inbox_words SOURCES unit/test_inbox_words.c LINKS sy_inbox PkgConfig::JANSSON)
sy_test(test_upstream_proofs SOURCES unit/test_upstream_proofs.c ${upstream_rig}
    LINKS sy_sender sy_ledger PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_broken SOURCES unit/test_upstream_broken.c ${upstream_rig}
    LINKS sy_sender sy_ledger PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_roads SOURCES unit/test_upstream_roads.c ${upstream_rig}
    LINKS sy_sender sy_ledger PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_egress SOURCES unit/test_egress.c LINKS sy_sender PkgConfig::JANSSON)
sy_test(test_inbox_signed SOURCES unit/test_inbox_signed.c ${upstream_rig}
    LINKS sy_inbox sy_sender sy_ledger PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_partial SOURCES unit/test_upstream_partial.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_onsite SOURCES unit/test_onsite.c LINKS sy_onsite sy_sender sy_config)
sy_test(test_enrol SOURCES unit/test_enrol.c LINKS sy_enrol sy_sender PkgConfig::GNUTLS)
