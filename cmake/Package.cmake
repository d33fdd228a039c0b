# The Debian package: `cpack -G DEB`, by scripts/package. What is in it is cmake/Install.cmake's; what
# its scripts do on the machine is in packaging/debian.

# Hardened as Debian hardens its own (dpkg-buildflags), and with all symbols bound at start, so that
# the tables of pointers are read-only afterwards. PIE is g++'s default on Debian. Only in what is
# installed and benchmarked: fortify needs an optimised build, and the sanitizers have checks of their own.
set(release $<CONFIG:Release,RelWithDebInfo>)
add_compile_options($<${release}:-fstack-protector-strong>)
add_compile_definitions($<${release}:_FORTIFY_SOURCE=2>)
add_link_options($<${release}:-Wl,-z,relro,-z,now>)

# A Debian changelog names a version, and the package has to be of that one.
set(changelog ${PROJECT_SOURCE_DIR}/packaging/debian/changelog)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${changelog})
file(STRINGS ${changelog} entry LIMIT_COUNT 1)
if(NOT entry MATCHES "^guideway \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "packaging/debian/changelog begins with '${entry}', but the project's version "
                      "is ${PROJECT_VERSION}: write an entry for it")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME guideway)
set(CPACK_PACKAGE_VENDOR guideway)
set(CPACK_PACKAGE_CONTACT "Guideway developers <guideway@packages.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "AF_XDP layer-4 load balancer after Maglev")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Takes the packets for virtual addresses out of the kernel's receive path,
gives each flow to a backend by consistent hashing and a connection table,
and sends it there in a GRE tunnel. Backends answer clients directly. All
other traffic of the interface stays with the kernel. Routers learn the virtual
addresses by BGP, from a GoBGP beside it.

This package has the daemon, guidewayd, with its systemd units, and the
command-line client, guideway. Nothing is started by installing it.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_THREADS 0)

# The libraries with the versions that they are needed in, from their symbols files.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
# gobgpd: what guideway-gobgp.service runs. Its own service starts only where there is an /etc/gobgpd.conf.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ethtool, gobgpd, iproute2")

set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "")
foreach(script conffiles postinst postrm prerm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Debug symbols are a package of their own, guideway-dbgsym, found by the build ID.
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON)
set(CPACK_STRIP_FILES OFF)  # that package has what is taken off
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/compress.cmake)
include(CPack)
