# The real broker and the real client; mosquitto_pub is the device.
sy_test(test_mqtt_broker
    SOURCES unit/test_mqtt_broker.c unit/mqtt_rig.c
    LINKS sy_drivers)
sy_test(test_mqtt_sessions
    SOURCES unit/test_mqtt_sessions.c unit/mqtt_rig.c
    LINKS sy_drivers)
sy_test(test_mqtt_client
    SOURCES unit/test_mqtt_client.c unit/mqtt_rig.c
    LINKS sy_drivers)
sy_test(test_replay
    SOURCES unit/test_replay.c
    LINKS sy_cli)
foreach(t test_spool test_spool_fault)
    sy_test(${t} SOURCES unit/${t}.c unit/spool_rig.c LINKS sy_drivers)
endforeach()
sy_test(test_access
    SOURCES unit/test_access.c
    LINKS sy_drivers)
sy_test(test_mqtt_spool
    SOURCES unit/test_mqtt_spool.c unit/mqtt_rig.c
    LINKS sy_drivers)
sy_test(test_door
    SOURCES unit/test_door.c
    LINKS sy_door)
sy_test(test_yaml_add
    SOURCES unit/test_yaml_add.c
    LINKS sy_cli)
