_demo() {
    local i cur prev opts cmd
    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="demo"
                ;;
            demo,b)
                cmd="demo__build"
                ;;
            demo,build)
                cmd="demo__build"
                ;;
            demo,cache)
                cmd="demo__cache"
                ;;
            demo__cache,clean)
                cmd="demo__cache__clean"
                ;;
            demo__cache,stat)
                cmd="demo__cache__stat"
                ;;
        esac
    done

    case "${cmd}" in
        demo)
            opts="-s -h --set --mode --share --pair --verbose --help [NOTE] build b cache"
            case "${prev}" in
                --set)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --mode)
                    COMPREPLY=($(compgen -W "slow fast" -- "${cur}"))
                    return 0
                    ;;
                --share)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pair)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        demo__build)
            opts="-h --color --help <TARGET> [REST]..."
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        demo__cache)
            opts="-h --help clean stat"
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        demo__cache__clean)
            opts="--all"
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        demo__cache__stat)
            opts=""
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}
