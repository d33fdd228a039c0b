# What every target of the project shares: warnings, sanitizers, and the include arrows.

add_library(guideway_options INTERFACE)
target_compile_options(guideway_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wduplicated-cond -Wlogical-op
  -Wformat=2 -Wimplicit-fallthrough
  $<$<BOOL:${GUIDEWAY_WERROR}>:-Werror>)
if(GUIDEWAY_SANITIZE)
  add_compile_options(-fsanitize=${GUIDEWAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GUIDEWAY_SANITIZE})
endif()

# guideway_include_root(TARGET FOLDER DIR): DIR becomes includable as "FOLDER/..." by TARGET and by
# what links to it, and by nothing else: there is no common include root, so that an include
# against the arrows of docs/ARCHITECTURE.md is a file that the compiler cannot find.
function(guideway_include_root target folder dir)
  set(root ${CMAKE_BINARY_DIR}/include-roots/${folder})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${dir} ${root}/${folder} SYMBOLIC)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL INTERFACE_LIBRARY)
    target_include_directories(${target} INTERFACE ${root})
  else()
    target_include_directories(${target} PUBLIC ${root})
  endif()
endfunction()

# guideway_library(FOLDER SOURCES... LINKS TARGETS... PRIVATE_LINKS TARGETS...): one folder of
# userspace/ as the static library gw_FOLDER (INTERFACE when it has only headers).
function(guideway_library folder)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  if(arg_SOURCES)
    add_library(gw_${folder} STATIC ${arg_SOURCES})
    target_link_libraries(gw_${folder} PUBLIC ${arg_LINKS} PRIVATE guideway_options ${arg_PRIVATE_LINKS})
  else()
    add_library(gw_${folder} INTERFACE)
    target_link_libraries(gw_${folder} INTERFACE ${arg_LINKS})
  endif()
  guideway_include_root(gw_${folder} ${folder} ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
