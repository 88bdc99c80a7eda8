foreach(what check test mutate)
    add_test(NAME packs_${what}
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/packs_check.py
            $<TARGET_FILE:steelyard> ${what})
endforeach()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT SY_SANITIZE)
    add_test(NAME packs_backtest
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/packs_backtest.py $<TARGET_FILE:steelyard>)
    set_tests_properties(packs_backtest PROPERTIES SKIP_RETURN_CODE 77)
endif()
