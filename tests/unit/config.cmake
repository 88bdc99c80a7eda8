sy_test(test_config SOURCES unit/test_config.c unit/config_rig.c LINKS sy_config)
sy_test(test_config_modbus SOURCES unit/test_config_modbus.c unit/config_rig.c LINKS sy_config)
sy_test(test_config_values SOURCES unit/test_config_values.c LINKS sy_config)
sy_test(test_config_set SOURCES unit/test_config_set.c unit/config_rig.c LINKS sy_config)
