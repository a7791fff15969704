# One interface target carries the warnings; every room links it.
add_library(clockmend_options INTERFACE)
target_include_directories(clockmend_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(clockmend_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Woverloaded-virtual -Wnon-virtual-dtor
  -Wformat=2 -fstack-protector-strong -fno-plt)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(clockmend_options INTERFACE -Wduplicated-cond -Wlogical-op -Wuseless-cast -Wsuggest-override)
endif()
# Asio 1.22 allocates coroutine frames with aligned_alloc and frees them with operator delete, depending on which of its
# headers came first; one definition for the whole program makes them agree.
target_compile_definitions(clockmend_options INTERFACE ASIO_STANDALONE ASIO_DISABLE_STD_ALIGNED_ALLOC)
if(CMAKE_UNITY_BUILD)
  # Private types of one file look like a header's where several files are compiled as one.
  target_compile_options(clockmend_options INTERFACE -Wno-subobject-linkage)
endif()
if(CLOCKMEND_WERROR)
  target_compile_options(clockmend_options INTERFACE -Werror)
endif()
if(CLOCKMEND_SANITIZE)
  target_compile_options(clockmend_options INTERFACE -fsanitize=${CLOCKMEND_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(clockmend_options INTERFACE -fsanitize=${CLOCKMEND_SANITIZE})
endif()

# clockmend_room(NAME SOURCES a.cpp... DEPS targets...): the static library of one folder.
# Linking mirrors the layer rules, so a breach fails at link time as well as in the lint.
function(clockmend_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS;SYSTEM_INCLUDES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC clockmend_options ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS})
  if(ARG_SYSTEM_INCLUDES)
    target_include_directories(${name} SYSTEM PRIVATE ${ARG_SYSTEM_INCLUDES})
  endif()
endfunction()

# clockmend_test(NAME LABEL unit SOURCES a.cpp... DEPS targets...): one GoogleTest binary, one ctest entry per case.
function(clockmend_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE clockmend_options ${ARG_DEPS} GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX "${ARG_LABEL}." PROPERTIES LABELS ${ARG_LABEL} DISCOVERY_TIMEOUT 60)
endfunction()
