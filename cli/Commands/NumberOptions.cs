using System.CommandLine;

namespace Cluster.Cli.Commands;

/// <summary>Options that take a whole number from 1 on.</summary>
internal static class NumberOptions
{
    /// <param name="most">The largest that it takes.</param>
    public static void TakesAtLeastOne(this Option option, int most = int.MaxValue) => option.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, out var value) && value > 0 && value <= most))
        {
            result.AddError($"{option.Name} is '{text}', expected a number, {(most == int.MaxValue ? "at least 1" : $"1 to {most}")}");
        }
    });
}
