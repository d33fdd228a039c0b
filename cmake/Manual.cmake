# The manual pages, in build/NAME/man, and the completion scripts, in build/NAME/completion, with the
# rules that install them. Made of what the programs take and of docs/configuration.md, so that they
# cannot say anything else:
#
#   guideway.1, and guideway's completion   by the built `guideway` (cli/manual_page.h, cli/completion.h)
#   guideway.yaml.5                         by pandoc, of docs/configuration.md
#   guidewayd.8, and guidewayd's completion man/, by hand; tests hold them to guidewayd --help
include(GNUInstallDirs)
find_program(PANDOC pandoc REQUIRED)

set(manual ${CMAKE_BINARY_DIR}/man)
set(completion ${CMAKE_BINARY_DIR}/completion)
file(MAKE_DIRECTORY ${manual} ${completion})

# Of the day of the build, or of SOURCE_DATE_EPOCH.
string(TIMESTAMP manual_date "%Y-%m-%d" UTC)
configure_file(${PROJECT_SOURCE_DIR}/man/guidewayd.8.in ${manual}/guidewayd.8 @ONLY)

# guideway_printed(OUTPUT WORDS...): the file is what `guideway WORDS...` prints. By way of another
# file, so that a program that fails leaves none that looks finished.
function(guideway_printed output)
  list(JOIN ARGN " " words)
  add_custom_command(
    OUTPUT ${output}
    COMMAND sh -c "'$<TARGET_FILE:guideway>' ${words} > '${output}.new' && mv '${output}.new' '${output}'"
    DEPENDS guideway
    COMMENT "guideway ${words}" VERBATIM)
endfunction()

guideway_printed(${manual}/guideway.1 manual --date ${manual_date})
foreach(shell bash zsh fish)
  guideway_printed(${completion}/guideway.${shell} completion ${shell})
  configure_file(${PROJECT_SOURCE_DIR}/man/completion/guidewayd.${shell}
                 ${completion}/guidewayd.${shell} COPYONLY)
endforeach()

set(source ${PROJECT_SOURCE_DIR}/docs/configuration.md)
set(filter ${PROJECT_SOURCE_DIR}/man/guideway.yaml.lua)
add_custom_command(
  OUTPUT ${manual}/guideway.yaml.5
  COMMAND ${PANDOC} --standalone --from gfm --to man --lua-filter ${filter} --output ${manual}/guideway.yaml.5
          -M title=GUIDEWAY.YAML -M section=5 -M date=${manual_date} -M header=Guideway
          "-Mfooter=guideway ${PROJECT_VERSION}" -M hyphenate=false -M adjusting=l ${source}
  DEPENDS ${source} ${filter}
  COMMENT "Manual page guideway.yaml.5" VERBATIM)

add_custom_target(guideway_manual ALL DEPENDS
  ${manual}/guideway.1 ${manual}/guideway.yaml.5
  ${completion}/guideway.bash ${completion}/guideway.zsh ${completion}/guideway.fish)
if(TARGET guideway_installed)
  add_dependencies(guideway_installed guideway_manual)
endif()

install(FILES ${manual}/guideway.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${manual}/guideway.yaml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES ${manual}/guidewayd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
foreach(program guideway guidewayd)
  install(FILES ${completion}/${program}.bash RENAME ${program}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completion}/${program}.zsh RENAME _${program}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${completion}/${program}.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endforeach()
