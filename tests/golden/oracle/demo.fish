complete -c demo -n "__fish_demo_needs_command" -s s -l set -d 'Set a value, don\'t ask (as `key=value`)' -r
complete -c demo -n "__fish_demo_needs_command" -l mode -d 'How to work' -r -f -a "slow\t'One at a time, the "safe" way'
fast\t'All at once: mind the heat'"
complete -c demo -n "__fish_demo_needs_command" -l share -d 'Write a file' -r -F
complete -c demo -n "__fish_demo_needs_command" -l pair -d 'Two things' -r
complete -c demo -n "__fish_demo_needs_command" -l verbose
complete -c demo -n "__fish_demo_needs_command" -s h -l help -d 'Print help'
complete -c demo -n "__fish_demo_needs_command" -a "build" -d 'Build it'
complete -c demo -n "__fish_demo_needs_command" -a "b" -d 'Build it'
complete -c demo -n "__fish_demo_needs_command" -a "cache" -d 'Look after the cache'
complete -c demo -n "__fish_demo_using_subcommand build" -l color -r -f -a "always\t''
never\t''"
complete -c demo -n "__fish_demo_using_subcommand build" -s h -l help -d 'Print help'
complete -c demo -n "__fish_demo_using_subcommand b" -l color -r -f -a "always\t''
never\t''"
complete -c demo -n "__fish_demo_using_subcommand b" -s h -l help -d 'Print help'
complete -c demo -n "__fish_demo_using_subcommand cache; and not __fish_seen_subcommand_from clean stat" -s h -l help -d 'Print help'
complete -c demo -n "__fish_demo_using_subcommand cache; and not __fish_seen_subcommand_from clean stat" -f -a "clean"
complete -c demo -n "__fish_demo_using_subcommand cache; and not __fish_seen_subcommand_from clean stat" -f -a "stat"
complete -c demo -n "__fish_demo_using_subcommand cache; and __fish_seen_subcommand_from clean" -l all -d 'Everything'
