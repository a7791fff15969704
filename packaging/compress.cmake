# Debian wants man pages and changelogs gzipped without name and time stamp (policy 12.1, 12.7), which also keeps the
# package reproducible.
function(clockmend_gzip source output)
  get_filename_component(from "${source}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  add_custom_command(OUTPUT "${output}" DEPENDS "${from}"
    COMMAND ${GZIP_PROGRAM} -9nc "${from}" > "${output}" VERBATIM)
  string(MAKE_C_IDENTIFIER "clockmend_gz_${output}" target)
  add_custom_target(${target} ALL DEPENDS "${output}")
endfunction()

# clockmend_man(COMPONENT page...): the section is the file's last extension.
function(clockmend_man component)
  foreach(page ${ARGN})
    get_filename_component(name "${page}" NAME)
    string(REGEX REPLACE ".*\\." "" section "${name}")
    clockmend_gzip("${page}" "${CMAKE_CURRENT_BINARY_DIR}/${name}.gz")
    install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.gz" DESTINATION ${CMAKE_INSTALL_DATADIR}/man/man${section}
            COMPONENT ${component})
  endforeach()
endfunction()

# clockmend_doc(COMPONENT PACKAGE changelog)
function(clockmend_doc component package changelog)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/${package}.changelog.gz")
  clockmend_gzip("${changelog}" "${output}")
  install(FILES "${output}" DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} RENAME changelog.gz COMPONENT ${component})
endfunction()
