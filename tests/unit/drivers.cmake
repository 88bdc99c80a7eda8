sy_test(test_registry SOURCES unit/test_registry.c LINKS sy_drivers)
foreach(name test_format_json test_format_senml test_format_plain test_format_devices test_format_lwm2m test_format_texts)
    sy_test(${name} SOURCES unit/${name}.c unit/format_harness.c LINKS sy_drivers PkgConfig::JANSSON)
endforeach()
foreach(name test_coap test_coap_blocks test_coap_client)
    sy_test(${name} SOURCES unit/${name}.c unit/coap_harness.c LINKS sy_drivers)
endforeach()
if(TARGET steelyard)
    add_test(NAME decode_cli
        COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/unit/decode_cli.sh $<TARGET_FILE:steelyard>)
    add_test(NAME payloads
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/payloads.py $<TARGET_FILE:steelyard>)
    set_tests_properties(payloads PROPERTIES SKIP_RETURN_CODE 77)
endif()
