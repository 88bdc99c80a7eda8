# Flags and helpers shared by every folder's target.
#
# sy_library(NAME FOLDER f SOURCES ... LINKS ... [PRIVATE_LINKS ...]) makes a static library whose
# headers are visible as "f/header.h" to it and to what links it, and to nothing else: the include
# root is a folder of the build tree that holds one link. An include that points the wrong way does
# not compile.

set(SY_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wformat=2 -Wswitch-enum -Wvla -Werror)
# Plain char is signed on every machine, so that the same text gives the same bytes (it is not on arm64).
add_compile_options(${SY_WARNINGS} -fstack-protector-strong -ffp-contract=off -fsigned-char)
add_compile_definitions(_GNU_SOURCE SY_VERSION="${PROJECT_VERSION}" $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(SY_SANITIZE)
    add_compile_options(-fsanitize=${SY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SY_SANITIZE})
endif()

function(sy_library name)
    cmake_parse_arguments(A "" "FOLDER" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(${name} STATIC ${A_SOURCES})
    set(root ${CMAKE_BINARY_DIR}/inc/${name})
    file(MAKE_DIRECTORY ${root})
    if(NOT EXISTS ${root}/${A_FOLDER})
        file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/${A_FOLDER} SYMBOLIC)
    endif()
    target_include_directories(${name} PUBLIC ${root})
    target_link_libraries(${name} PUBLIC ${A_LINKS} PRIVATE ${A_PRIVATE_LINKS})
endfunction()

# sy_test(NAME SOURCES ... LINKS ...): one cmocka program, one ctest entry of that name.
function(sy_test name)
    cmake_parse_arguments(A "" "" "SOURCES;LINKS;ARGS" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    target_link_libraries(${name} PRIVATE ${A_LINKS} cmocka)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name} ${A_ARGS})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120
        ENVIRONMENT "SY_SOURCE_DIR=${CMAKE_SOURCE_DIR};SY_BUILD_DIR=${CMAKE_BINARY_DIR}")
endfunction()
