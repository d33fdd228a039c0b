# What is installed, and where; the manual pages and completions are cmake/Manual.cmake's. Meant for the
# Debian package (cmake/Package.cmake), whose prefix is /usr: the units name /usr/sbin/guidewayd, and the
# daemon's file is in /etc whatever the prefix.
include(GNUInstallDirs)

install(TARGETS guidewayd DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS guideway DESTINATION ${CMAKE_INSTALL_BINDIR})

# The file has a secret: readable for its owner only until the package's postinst gives it to the
# daemon's group.
install(FILES ${PROJECT_SOURCE_DIR}/packaging/guideway.yaml DESTINATION /etc/guideway
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/needrestart.conf
        DESTINATION /etc/needrestart/conf.d RENAME guideway.conf)

# Debian 12 has the units of packages under /lib.
set(systemd ${PROJECT_SOURCE_DIR}/configs/systemd)
file(GLOB units CONFIGURE_DEPENDS ${systemd}/*.service)
install(FILES ${units} DESTINATION /lib/systemd/system)
foreach(kind sysusers.d tmpfiles.d)
  file(GLOB snippets CONFIGURE_DEPENDS ${systemd}/${kind}/*.conf)
  install(FILES ${snippets} DESTINATION lib/${kind})
endforeach()

# The pages link to each other as they do in the source.
set(doc ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md DESTINATION ${doc})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${doc} FILES_MATCHING PATTERN *.md)
install(FILES ${PROJECT_SOURCE_DIR}/configs/minimal.yaml ${PROJECT_SOURCE_DIR}/configs/production.yaml
              ${PROJECT_SOURCE_DIR}/configs/grafana.json DESTINATION ${doc}/examples)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs/routers ${PROJECT_SOURCE_DIR}/configs/gobgp-external
        DESTINATION ${doc}/examples FILES_MATCHING PATTERN *.conf PATTERN *.yaml)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/debian/copyright
              ${PROJECT_SOURCE_DIR}/packaging/debian/changelog DESTINATION ${doc})
install(FILES ${PROJECT_SOURCE_DIR}/packaging/debian/lintian-overrides
        DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME guideway)

# All that has to be built before something can be installed.
add_custom_target(guideway_installed DEPENDS guidewayd guideway)
