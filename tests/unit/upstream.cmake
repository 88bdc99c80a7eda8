set(upstream_rig unit/upstream_rig.c unit/upstream_peer.c)
sy_test(test_upstream_pure SOURCES unit/test_upstream_pure.c LINKS sy_sender)
sy_test(test_upstream_send SOURCES unit/test_upstream_send.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
sy_test(test_upstream_tls SOURCES unit/test_upstream_tls.c ${upstream_rig}
    LINKS sy_sender PkgConfig::JANSSON PkgConfig::GNUTLS)
