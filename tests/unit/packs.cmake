foreach(what check test mutate)
    add_test(NAME packs_${what}
        COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/unit/packs_check.py
            $<TARGET_FILE:steelyard> ${what})
endforeach()
