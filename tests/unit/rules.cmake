foreach(test errors load words hostile)
    sy_test(test_rules_${test}
        SOURCES unit/test_rules_${test}.c unit/rules_rig.c LINKS sy_rules sy_base m)
endforeach()
