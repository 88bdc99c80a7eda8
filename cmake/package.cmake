# What is installed, and the Debian package: `cmake --build --preset release --target package`.
include(GNUInstallDirs)
set(man ${CMAKE_BINARY_DIR}/man)
find_program(GZIP gzip)
add_custom_command(OUTPUT ${man}/done
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${man}
    COMMAND python3 ${CMAKE_SOURCE_DIR}/packaging/man.py $<TARGET_FILE:steelyard> ${man} ${PROJECT_VERSION}
    COMMAND sh -c "${GZIP} -9n ${man}/*.1"
    COMMAND ${CMAKE_COMMAND} -E touch ${man}/done
    DEPENDS steelyard packaging/man.py VERBATIM)
add_custom_command(OUTPUT changelog.gz
    COMMAND sh -c "printf 'steelyard (${PROJECT_VERSION}) stable; urgency=medium\\n\\n  * See the documents in this folder.\\n\\n -- Steelyard <maintainers@steelyard.example>  Thu, 01 Jan 2026 00:00:00 +0000\\n' | ${GZIP} -9n >changelog.gz"
    VERBATIM)
add_custom_target(manual ALL DEPENDS ${man}/done ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz)
install(TARGETS steelyard DESTINATION bin)
install(DIRECTORY ${man}/ DESTINATION share/man/man1 FILES_MATCHING PATTERN "*.gz")
install(DIRECTORY rules/packs/ DESTINATION share/steelyard/rules FILES_MATCHING PATTERN "*.rules")
install(DIRECTORY docs/ DESTINATION share/doc/steelyard FILES_MATCHING PATTERN "*.md" PATTERN "*.json" PATTERN "*.yaml" PATTERN "*.png")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz DESTINATION share/doc/steelyard)
install(FILES packaging/debian/copyright DESTINATION share/doc/steelyard)
install(FILES packaging/monitoring/steelyard.rules.yml packaging/monitoring/grafana.json
    DESTINATION share/steelyard/monitoring)
install(FILES packaging/completion.bash DESTINATION share/bash-completion/completions RENAME steelyard)
install(FILES packaging/systemd/steelyard.service DESTINATION /lib/systemd/system)
install(FILES packaging/systemd/default DESTINATION /etc/default RENAME steelyard)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME steelyard)
set(CPACK_PACKAGE_CONTACT "Steelyard <maintainers@steelyard.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "edge gateway for market supervision")
set(CPACK_PACKAGE_DESCRIPTION "Gathers the readings of sensors in an inspected premises over MQTT, CoAP,
HJ 212 and Modbus, keeps all of them as evidence in a signed ledger, judges
them by rules that a regulator wrote, and forwards alerts upstream over TLS.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "mosquitto, tzdata, adduser")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/debian/postinst;${CMAKE_SOURCE_DIR}/packaging/debian/prerm;${CMAKE_SOURCE_DIR}/packaging/debian/postrm;${CMAKE_SOURCE_DIR}/packaging/debian/conffiles)
include(CPack)
