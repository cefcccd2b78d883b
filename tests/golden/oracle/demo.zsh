#compdef demo

_demo() {
    typeset -A opt_args
    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'*-s+[Set a value, don'\''t ask (as \`key=value\`)]:key=value:_default' \
'*--set=[Set a value, don'\''t ask (as \`key=value\`)]:key=value:_default' \
'(--loud)--mode=[How to work]:MODE:((slow\:"One at a time, the \"safe\" way"
fast\:"All at once\: mind the heat"))' \
'--share=[Write a file]::PATH:_files' \
'--pair=[Two things]:LEFT:_default:RIGHT:_default' \
'*--verbose[]' \
'-h[Print help]' \
'--help[Print help]' \
'::note -- What to do\: anything:' \
":: :_demo_commands" \
"*::: :->demo" \
&& ret=0
    case $state in
    (demo)
        words=($line[2] "${words[@]}")
        (( CURRENT += 1 ))
        case $line[2] in
            (build)
_arguments "${_arguments_options[@]}" : \
'--color=[]:WHEN:(always never)' \
'-h[Print help]' \
'--help[Print help]' \
':target:_default' \
'*::rest -- More of them:_files' \
&& ret=0
;;
(b)
_arguments "${_arguments_options[@]}" : \
'--color=[]:WHEN:(always never)' \
'-h[Print help]' \
'--help[Print help]' \
':target:_default' \
'*::rest -- More of them:_files' \
&& ret=0
;;
(cache)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
":: :_demo__cache_commands" \
"*::: :->cache" \
&& ret=0

    case $state in
    (cache)
        case $line[1] in
            (clean)
_arguments "${_arguments_options[@]}" : \
'--all[Everything]' \
&& ret=0
;;
(stat)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_demo_commands] )) ||
_demo_commands() {
    local commands; commands=(
'build:Build it' \
'b:Build it' \
'cache:Look after the cache' \
    )
    _describe -t commands 'demo commands' commands "$@"
}
(( $+functions[_demo__cache_commands] )) ||
_demo__cache_commands() {
    local commands; commands=(
'clean:' \
'stat:' \
    )
    _describe -t commands 'demo cache commands' commands "$@"
}
