sy_test(test_store SOURCES unit/test_store.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_outbox SOURCES unit/test_store_outbox.c unit/store_rig.c LINKS sy_store)
sy_test(test_store_queue SOURCES unit/test_store_queue.c unit/store_rig.c LINKS sy_store)
sy_test(test_store_fault SOURCES unit/test_store_fault.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_leaves SOURCES unit/test_store_leaves.c unit/store_rig.c LINKS sy_store)
sy_test(test_chunk SOURCES unit/test_chunk.c LINKS sy_store)
sy_test(test_store_random SOURCES unit/test_store_random.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_upgrade SOURCES unit/test_store_upgrade.c unit/store_rig.c LINKS sy_store PkgConfig::SQLITE)
sy_test(test_store_root SOURCES unit/test_store_root.c unit/store_rig.c LINKS sy_store)
# Fills a store for the tests and benchmarks of the commands that read one.
add_executable(store_fill unit/store_fill.c)
target_link_libraries(store_fill PRIVATE sy_store)
if(TARGET steelyard AND NOT SY_SANITIZE)
    add_test(NAME export_cli
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/export_cli.py $<TARGET_FILE:steelyard>
            $<TARGET_FILE:store_fill>)
endif()
