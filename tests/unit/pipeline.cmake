sy_test(test_pipeline_decode SOURCES unit/test_pipeline_decode.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_upkeep SOURCES unit/test_upkeep.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_act SOURCES unit/test_act.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_standing SOURCES unit/test_standing.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_uplink SOURCES unit/test_uplink.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_births SOURCES unit/test_births.c unit/config_rig.c LINKS sy_pipeline)
sy_test(test_quality SOURCES unit/test_quality.c unit/config_rig.c LINKS sy_pipeline)
sy_test(test_pipeline SOURCES unit/test_pipeline.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_pipeline_attempt
    SOURCES unit/test_pipeline_attempt.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_statement SOURCES unit/test_statement.c unit/pipeline_rig.c LINKS sy_pipeline PkgConfig::JANSSON)
sy_test(test_pipeline_clock
    SOURCES unit/test_pipeline_clock.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_limit SOURCES unit/test_limit.c unit/rules_rig.c LINKS sy_pipeline)
sy_test(test_control SOURCES unit/test_control.c LINKS sy_control)
sy_test(test_pipeline_basis SOURCES unit/test_pipeline_basis.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_keeper SOURCES unit/test_keeper.c unit/keeper_rig.c LINKS sy_run)
sy_test(test_keeper_expiry
    SOURCES unit/test_keeper_expiry.c unit/keeper_rig.c LINKS sy_run)
sy_test(test_late SOURCES unit/test_late.c unit/pipeline_rig.c LINKS sy_pipeline)
sy_test(test_late_random
    SOURCES unit/test_late_random.c unit/judge_kit.c unit/judge_random_cond.c
        unit/judge_random_rule.c unit/judge_random_stream.c
    LINKS sy_pipeline)
set_tests_properties(test_late_random PROPERTIES TIMEOUT 600)
sy_test(test_senses SOURCES unit/test_senses.c LINKS sy_run)
sy_test(test_self_mains SOURCES unit/test_self_mains.c unit/journal_rig.c LINKS sy_run)
