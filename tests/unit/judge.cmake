sy_test(test_judge_scenarios
    SOURCES unit/test_judge_scenarios.c unit/judge_kit.c LINKS sy_rules sy_base)
