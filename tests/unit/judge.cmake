sy_test(test_judge_scenarios
    SOURCES unit/test_judge_scenarios.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_fridge
    SOURCES unit/test_judge_fridge.c unit/judge_kit.c
    LINKS sy_rules sy_base PkgConfig::JANSSON)
sy_test(test_judge_random
    SOURCES unit/test_judge_random.c unit/judge_kit.c
        unit/judge_random_cond.c unit/judge_random_rule.c unit/judge_random_run.c
        unit/judge_random_stream.c
        unit/judge_naive.c unit/judge_naive_calendar.c unit/judge_naive_exempt.c
        unit/judge_naive_hold.c unit/judge_naive_level.c unit/judge_naive_number.c
        unit/judge_naive_phrase.c unit/judge_naive_table.c unit/judge_naive_value.c
        unit/judge_naive_window.c
    LINKS sy_rules sy_base m)
sy_test(test_judge_mutants
    SOURCES unit/test_judge_mutants.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_life
    SOURCES unit/test_judge_life.c unit/judge_box.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_setback
    SOURCES unit/test_judge_setback.c unit/judge_box.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_memory
    SOURCES unit/test_judge_memory.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_cli_csv SOURCES unit/test_cli_csv.c LINKS sy_cli)
sy_test(test_cli_term SOURCES unit/test_cli_term.c LINKS sy_cli)
# Not a test by itself: tests/determinism/run compares what several builds of it print.
add_executable(judge_digest determinism/judge_digest.c determinism/rule_site.c)
target_link_libraries(judge_digest PRIVATE sy_rules sy_base)
set_target_properties(judge_digest PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
sy_test(test_judge_calendars
    SOURCES unit/test_judge_calendars.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_windows
    SOURCES unit/test_judge_windows.c unit/judge_kit.c LINKS sy_rules sy_base m)
sy_test(test_judge_calendar
    SOURCES unit/test_judge_calendar.c unit/judge_kit.c LINKS sy_rules sy_base)
sy_test(test_judge_holds
    SOURCES unit/test_judge_holds.c unit/judge_kit.c LINKS sy_rules sy_base)
# Slow builds judge fewer random cases; ./test --long judges ten thousand.
if(SY_SANITIZE OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set_property(TEST test_judge_random APPEND PROPERTY ENVIRONMENT SY_CASES=60)
endif()
sy_test(test_judge_basis SOURCES unit/test_judge_basis.c unit/judge_kit.c LINKS sy_rules sy_base)
