using System.CommandLine;

namespace Cluster.Cli.Commands;

/// <summary><c>completion bash|zsh|fish</c>: a script for the shell, which asks the program itself by the directive <c>[suggest]</c>.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _cluster() {
            local line=${COMP_LINE#* } word=${COMP_WORDS[COMP_CWORD]}
            local at=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$((at < 0 ? 0 : at))]" "$line" 2>/dev/null)" -- "$word"))
            [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
        }
        complete -o filenames -F _cluster cluster
        """;

    private const string Zsh = """
        #compdef cluster
        _cluster() {
            local line="${words[2,-1]}"
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            [ -n "${found[1]}" ] && compadd -- "${found[@]}" || _files
        }
        compdef _cluster cluster
        """;

    private const string Fish = """
        function __cluster_complete
            set -l line (string join ' ' -- (commandline -opc)[2..] (commandline -ct))
            cluster "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c cluster -a '(__cluster_complete)'
        """;

    public static Command Create(Surroundings surroundings) => new("completion", "Prints a script that completes this command line in a shell.")
    {
        Of("bash", "source <(cluster completion bash)", Bash, surroundings),
        Of("zsh", "source <(cluster completion zsh)", Zsh, surroundings),
        Of("fish", "cluster completion fish | source", Fish, surroundings),
    };

    private static Command Of(string shell, string use, string script, Surroundings surroundings)
    {
        var command = new Command(shell, use);
        command.SetAction(_ =>
        {
            surroundings.Output.WriteLine(script);
            return ExitCodes.Done;
        });
        return command;
    }
}
