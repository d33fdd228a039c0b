# Run by cpack between installing into its folder and packing that: manual pages and the changelog are
# compressed, as Debian's policy (12.1, 12.7) wants it. -n: no name and time in the file, so that the
# same input gives the same package.
file(GLOB pages ${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man*/*.[1-9])
execute_process(COMMAND gzip -9nf ${pages} ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/guideway/changelog
                COMMAND_ERROR_IS_FATAL ANY)
