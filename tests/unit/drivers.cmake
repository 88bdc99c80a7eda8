sy_test(test_registry SOURCES unit/test_registry.c LINKS sy_drivers)
foreach(name test_coap test_coap_blocks test_coap_client)
    sy_test(${name} SOURCES unit/${name}.c unit/coap_harness.c LINKS sy_drivers)
endforeach()
