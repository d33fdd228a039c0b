# The client of GoBGP's gRPC API: C++ that is generated from GoBGP's own proto files, as Debian
# installs them, in the build folder. Nothing of it is in the repository.

find_program(PROTOC protoc)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin)
find_path(GOBGP_PROTO_DIR gobgp.proto
  PATHS /usr/share/gocode/src/github.com/osrg/gobgp/api NO_DEFAULT_PATH)
find_package(Protobuf REQUIRED)
# Without TLS: gobgpd is beside the daemon, and its API has none by default.
pkg_check_modules(grpcpp REQUIRED IMPORTED_TARGET grpc++_unsecure)

foreach(needed "PROTOC;protobuf-compiler" "GRPC_CPP_PLUGIN;protobuf-compiler-grpc"
               "GOBGP_PROTO_DIR;golang-github-osrg-gobgp-dev")
  list(GET needed 0 variable)
  list(GET needed 1 package)
  if(NOT ${variable})
    message(FATAL_ERROR "GoBGP's client cannot be generated: ${variable} was not found. "
                        "Install Debian's ${package}, or run scripts/deps.")
  endif()
endforeach()

file(STRINGS ${GOBGP_PROTO_DIR}/gobgp.proto gobgp_package REGEX "^package apipb;")
if(NOT gobgp_package)
  message(FATAL_ERROR "GoBGP's client cannot be generated: ${GOBGP_PROTO_DIR}/gobgp.proto is not of "
                      "GoBGP 3, whose package is apipb. Install golang-github-osrg-gobgp-dev of Debian 12.")
endif()

# guideway_gobgp_api(TARGET): the static library with the messages and the stub. Its users include
# "gobgp.grpc.pb.h", "attribute.pb.h", "capability.pb.h", in which the compiler warns of nothing.
function(guideway_gobgp_api target)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/api)
  file(MAKE_DIRECTORY ${out})
  set(generated ${out}/gobgp.grpc.pb.h ${out}/gobgp.grpc.pb.cc)
  set(protos "")
  foreach(name gobgp attribute capability)
    list(APPEND protos ${GOBGP_PROTO_DIR}/${name}.proto)
    list(APPEND generated ${out}/${name}.pb.h ${out}/${name}.pb.cc)
  endforeach()
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${PROTOC} -I ${GOBGP_PROTO_DIR} --cpp_out=${out} --grpc_out=${out}
            --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${protos}
    DEPENDS ${protos}
    COMMENT "GoBGP's API" VERBATIM)
  add_library(${target} STATIC ${generated})
  target_compile_options(${target} PRIVATE -w)
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC PkgConfig::grpcpp protobuf::libprotobuf)
endfunction()
