using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Cluster.Contracts.Options;
using Cluster.Gateway.Rest;
using Cluster.Grains;
using Cluster.Metrics;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Cluster.Unit.Silo;

/// <summary>Every option is bound, checked and documented. With WRITE_DOCS=1 in the environment, docs/options.md is written anew.</summary>
public sealed partial class OptionsPageTests
{
    private static readonly string[] Projects = ["contracts", "gateway", "grains", "metrics", "security", "silo"];

    private static readonly Lazy<IReadOnlyList<(string File, string Text)>> Sources = new(static () =>
        [.. Projects.SelectMany(static project => Directory.EnumerateFiles(Path.Combine(TestPaths.Root, project), "*.cs", SearchOption.AllDirectories))
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(static file => (file, File.ReadAllText(file)))]);

    private static readonly string Page = Path.Combine(TestPaths.Root, "docs", "options.md");

    public static TheoryData<Type> OptionTypes => new(
        new[] { typeof(PrometheusOptions), typeof(RestOptions), typeof(ModelGrains), typeof(ServeOptions) }
            .SelectMany(static type => type.Assembly.GetTypes())
            .Where(static type => type is { IsClass: true, IsPublic: true } && type.Name.EndsWith("Options", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(OptionTypes))]
    public void Options_EveryProperty_IsBoundAndCheckedOrSetByOneThatIs(Type type)
    {
        var keys = OptionSections.Types.SelectMany(OptionProperty.Of).Where(static option => option.SetBy is null).Select(static option => option.Key).ToHashSet();

        foreach (var option in OptionProperty.Of(type))
        {
            if (option.SetBy is { } key)
            {
                Assert.True(key.Length == 0 || keys.Contains(key), $"{type.Name}.{option.Name} is set by '{key}', which is no option");
            }
            else
            {
                Assert.Contains(option.Key, keys);
                Assert.True(option.Expected is not null, $"{option.Key} has no rule");
                Assert.NotEmpty(Summary(type, option.Name));
            }
        }
    }

    [Fact]
    public void Defaults_OfEverySection_AreRight()
    {
        using var provider = new ServiceCollection().AddOptionSections().BuildServiceProvider();

        provider.GetRequiredService<IStartupValidator>().Validate();

        Assert.Equal(OptionSections.Types.Count, OptionSections.Types.Select(OptionProperty.SectionOf).Where(static section => section.Length > 0).Distinct().Count());
    }

    [Fact]
    public async Task Page_OfTheOptions_IsWhatTheCodeSays()
    {
        var expected = Write();
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(Page, expected);
        }

        Assert.Equal(expected, await File.ReadAllTextAsync(Page));
    }

    /// <summary>An option that no composition reads would be taken, checked, and without effect.</summary>
    [Fact]
    public void CommandLine_EveryOption_IsReadBesideItsDeclaration()
    {
        var options = Path.Combine(TestPaths.Root, "silo", "Options") + Path.DirectorySeparatorChar;
        var readers = Sources.Value.Where(source => !source.File.StartsWith(options, StringComparison.Ordinal)).Select(static source => source.Text).ToList();
        var taken = OptionProperty.Of(typeof(ServeOptions)).Where(static option => ServeCommand.NameOf(option.Key) != option.Key).Select(static option => option.Name).ToList();

        Assert.True(taken.Count > 40);
        Assert.DoesNotContain(taken, name => !readers.Exists(text => Regex.IsMatch(text, $@"ptions\.{name}\b")));
    }

    [Fact]
    public async Task Operations_EveryCommand_IsOnThePage()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "docs", "operations.md"));
        var command = ServeCommand.Create(_ => Task.FromResult(0), _ => Task.FromResult(0));

        Assert.All(command.Subcommands, subcommand => Assert.Contains($"`./serve {subcommand.Name}", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Show_Password_IsHidden()
    {
        var option = Assert.Single(OptionProperty.Of(typeof(WithPassword)));

        Assert.Equal("***", option.Show(new WithPassword { Password = "secret" }));
    }

    private static string Write()
    {
        var page = new StringBuilder();
        page.Append("""
            # Options

            The tests make this page from the code: change it there, then run `WRITE_DOCS=1 ./test unit`.

            Every option is a key in a section of `appsettings.json` in the working folder, and an environment variable: `{"Cache":{"SizeFactor":2}}` is
            `Cache__SizeFactor=2`. Those of the section `Cluster` are options of the command line too: `--http-port 80` is `Cluster__HttpPort=80`. The command line
            wins over the environment, and that over the file. Processes of all roles may share one file.

            - Whole numbers are digits alone; others may have a decimal point. There are no signs, exponents, separators or units.
            - A time is `hh:mm:ss`, with days before it or a fraction after it where needed: `1.12:00:00`, `00:00:00.25`. Options whose name ends in `Seconds` are numbers.
            - A list is a JSON list, or text with commas.
            - Empty text is never right: leave an option out to get its default. Unknown keys are mistakes.

            All mistakes are told at once, one line each, and the process ends with exit code 64.

            """);
        foreach (var type in OptionSections.Types)
        {
            var defaults = Activator.CreateInstance(type)!;
            page.Append(CultureInfo.InvariantCulture, $"\n## {OptionProperty.SectionOf(type)}\n\n{Summary(type, null)} Source: `{SourceOf(type)}`.\n\n| option | default | right | meaning |\n|---|---|---|---|\n");
            foreach (var option in OptionProperty.Of(type).Where(static option => option.SetBy is null))
            {
                var name = ServeCommand.NameOf(option.Key);
                page.Append(CultureInfo.InvariantCulture, $"| `{(name == option.Key ? option.Name : name)}` | {option.Show(defaults)} | {option.Expected} | {Summary(type, option.Name)} |\n");
            }
        }

        return page.ToString();
    }

    /// <summary>The file that declares a class, below the root.</summary>
    private static string SourceOf(Type type) => Path.GetRelativePath(
        TestPaths.Root, Sources.Value.Single(source => source.Text.Contains($"public sealed class {type.Name}\n", StringComparison.Ordinal) || source.Text.Contains($"public sealed class {type.Name} ", StringComparison.Ordinal)).File);

    private static string Summary(Type type, string? property)
    {
        var documentation = XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml"));
        var member = property is null ? $"T:{type.FullName}" : $"P:{type.FullName}.{property}";
        var summary = documentation.Descendants("member").Single(element => (string?)element.Attribute("name") == member).Element("summary")!;
        return Space().Replace(string.Concat(summary.Nodes().Select(static node => node switch
        {
            XElement { Name.LocalName: "see" } see => $"`{((string)see.Attribute("cref")!).Split('.')[^1]}`",
            XElement element => $"`{element.Value}`",
            _ => ((XText)node).Value,
        })), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    private sealed class WithPassword
    {
        [DataType(DataType.Password)]
        public string Password { get; set; } = "";
    }
}
