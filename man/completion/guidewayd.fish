# Fish completion of guidewayd.
complete -c guidewayd -s h -l help -d 'Print this help and exit'
complete -c guidewayd -l version -d 'Print the version and exit'
complete -c guidewayd -l check -d 'Only say whether the file is right'
complete -c guidewayd -l withdraw -d 'Only take the routes of a guidewayd that is gone from the BGP speaker'
complete -c guidewayd -s c -l config -r -F -d 'The configuration file'
