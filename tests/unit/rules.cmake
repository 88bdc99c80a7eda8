foreach(test errors load words whole meaning hostile fmt)
    sy_test(test_rules_${test}
        SOURCES unit/test_rules_${test}.c unit/rules_rig.c LINKS sy_rules sy_base m)
endforeach()
sy_test(test_rules_mutate
    SOURCES unit/test_rules_mutate.c unit/judge_kit.c LINKS sy_rules sy_base)
add_test(NAME rules_tools_cli
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/unit/rules_tools_cli.sh $<TARGET_FILE:steelyard>)
add_test(NAME rules_check_cli
    COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/unit/rules_check_cli.sh $<TARGET_FILE:steelyard>)
add_test(NAME rules_tools_doc
    COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/rules_tools_doc.py $<TARGET_FILE:steelyard>)
# Hundreds of runs of the program, and texts made from the grammar of docs/: once, in the plain
# build.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT SY_SANITIZE)
    add_test(NAME rules_fmt_cli
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/rules_fmt_cli.py $<TARGET_FILE:steelyard>
            ${PROJECT_SOURCE_DIR})
    add_test(NAME rules_tree_cli
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/rules_tree_cli.py $<TARGET_FILE:steelyard>
            ${PROJECT_SOURCE_DIR})
    add_test(NAME rules_grammar
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/rules/grammar.py $<TARGET_FILE:steelyard>
            ${PROJECT_SOURCE_DIR})
    set_tests_properties(rules_grammar PROPERTIES TIMEOUT 300)
endif()
