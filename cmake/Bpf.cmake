# BPF programs: clang to an object with BTF, bpftool to a libbpf skeleton that embeds it.

find_program(BPF_CLANG NAMES clang clang-19 clang-16 clang-14 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /usr/local/sbin REQUIRED)
find_program(BPF_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-16 llvm-strip-14 REQUIRED)

# guideway_bpf_program(NAME): NAME.bpf.c becomes the INTERFACE library bpf_NAME, whose users can
# include "NAME.skel.h".
function(guideway_bpf_program name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/skeleton)
  file(MAKE_DIRECTORY ${out})
  set(werror "")
  if(GUIDEWAY_WERROR)
    set(werror -Werror)
  endif()
  # The architecture's asm/ headers are outside clang's default path for the bpf target.
  add_custom_command(
    OUTPUT ${out}/${name}.bpf.o
    COMMAND ${BPF_CLANG} -std=gnu11 -O2 -g -target bpf -mcpu=v3 -Wall -Wextra ${werror}
            -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MD -MF ${out}/${name}.d -c ${source} -o ${out}/${name}.bpf.o
    COMMAND ${BPF_STRIP} -g ${out}/${name}.bpf.o
    DEPENDS ${source} DEPFILE ${out}/${name}.d
    COMMENT "BPF ${name}.bpf.o" VERBATIM)
  add_custom_command(
    OUTPUT ${out}/${name}.skel.h
    COMMAND sh -c "'${BPFTOOL}' gen skeleton '${out}/${name}.bpf.o' name ${name}_bpf > '${out}/${name}.skel.h'"
    DEPENDS ${out}/${name}.bpf.o
    COMMENT "Skeleton ${name}.skel.h" VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${out}/${name}.skel.h)
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${out})
  target_link_libraries(bpf_${name} INTERFACE PkgConfig::libbpf)
endfunction()
