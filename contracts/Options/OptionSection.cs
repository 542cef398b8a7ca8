using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Cluster.Contracts.Options;

/// <summary>Reads a section of the configuration into its options, and tells every mistake in it in one line each.</summary>
public static class OptionSection
{
    /// <summary>Sets the given values that can be read. All others keep their defaults.</summary>
    public static void Bind(IConfiguration configuration, object options)
    {
        foreach (var property in OptionProperty.Of(options.GetType()))
        {
            if (property.SetBy is null && Given(configuration, property) is { } given && OptionText.TryRead(given, property.Type, out var value))
            {
                property.Set(options, value);
            }
        }
    }

    /// <summary>Every mistake: values that cannot be read or are out of their range, values that do not go together, unknown keys.</summary>
    /// <param name="options">Bound.</param>
    public static IReadOnlyList<(string Key, string Text)> Check(IConfiguration configuration, object options)
    {
        var mistakes = new List<(string Key, string Text)>();
        var properties = OptionProperty.Of(options.GetType());
        foreach (var property in properties)
        {
            var given = Given(configuration, property);
            if (property.SetBy is not null)
            {
                if (given is not null)
                {
                    Add(property, given, $"nothing here: {property.SetBy} sets it");
                }
            }
            else if ((given is not null && !OptionText.TryRead(given, property.Type, out _)) || !property.IsRight(options))
            {
                Add(property, given, property.Expected ?? "a value");
            }
        }

        var wrong = mistakes.Select(static mistake => mistake.Key).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var result in (options as IValidatableObject)?.Validate(new ValidationContext(options)) ?? [])
        {
            var members = properties.Where(property => result.MemberNames.Contains(property.Name)).ToList();
            if (members.TrueForAll(member => !wrong.Contains(member.Key)))
            {
                var named = members.Find(member => member.Name == result.MemberNames.First())!;
                Add(named, Given(configuration, named), result.ErrorMessage!);
            }
        }

        mistakes.AddRange(Unknown(configuration, OptionProperty.SectionOf(options.GetType()), [.. properties.Select(static property => property.Name)]));
        return mistakes;

        void Add(OptionProperty property, IConfigurationSection? given, string expected) => mistakes.Add((
            property.Key,
            $"{NamedSource.NameOf(configuration, property.Key)} is {Shown(property, given)}, expected {expected}"));

        string Shown(OptionProperty property, IConfigurationSection? given) =>
            given is null ? (property.Show(options) is var kept and not "none" ? $"'{kept}'" : "missing")
            : given.GetChildren().Any() ? "a list or an object"
            : $"'{OneLine(given.Value!)}'";
    }

    /// <summary>A mistake that shows only when a value is used.</summary>
    public static string Say(IConfiguration configuration, string key, string value, string expected) =>
        $"{NamedSource.NameOf(configuration, key)} is '{OneLine(value)}', expected {expected}";

    /// <summary>The name that was perhaps meant, as " Did you mean …?"; empty if none is near.</summary>
    public static string Hint(string name, IEnumerable<string> known) =>
        known.Select(candidate => (Name: candidate, Distance: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= Math.Max(1, name.Length / 3))
            .OrderBy(static candidate => candidate.Distance)
            .Select(static candidate => $", did you mean {candidate.Name}?")
            .FirstOrDefault("");

    /// <summary>Control characters as numbers, so that a value cannot make a line of its own.</summary>
    public static string OneLine(string text) => string.Concat(text.Select(static letter => char.IsControl(letter) ? $"\\u{(int)letter:x4}" : $"{letter}"));

    private static IEnumerable<(string Key, string Text)> Unknown(IConfiguration configuration, string section, IReadOnlyList<string> known) =>
        configuration.GetSection(section).GetChildren()
            .Where(child => !known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            .Select(child => (child.Path, $"{OneLine(NamedSource.NameOf(configuration, child.Path))} is unknown{Hint(child.Key, known)}"));

    private static IConfigurationSection? Given(IConfiguration configuration, OptionProperty property) =>
        configuration.GetSection(property.Key) is var given && (given.Value is not null || given.GetChildren().Any()) ? given : null;

    /// <summary>Letters to change, insert or delete until one text is the other.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1)));
            }
        }

        return row[^1];
    }
}

/// <summary>Names the content of a text option. Derived rules check it. Null is left to the default.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class TextAttribute : ValidationAttribute
{
    /// <param name="expected">Follows the word "expected" in a mistake: <c>a folder</c>.</param>
    public TextAttribute(string expected) => ErrorMessage = expected;

    /// <inheritdoc/>
    public sealed override bool IsValid(object? value) => value is null || (value is string text && IsRight(text));

    protected virtual bool IsRight(string text) => true;
}

/// <summary>The configuration section whose keys are the properties of an options class.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SectionAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>A property that follows from another key, in the process' own section; its section has no key for it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SetByAttribute(string key) : Attribute
{
    /// <summary>Such as <c>Cluster:Capacity</c>; empty if the program itself sets it.</summary>
    public string Key { get; } = key;
}

/// <summary>The one way in which options are registered.</summary>
public static class OptionsExtensions
{
    /// <summary>
    /// Binds the section that <typeparamref name="T"/> names, has every mistake found at the start, and lets services take the options themselves.
    /// An instance that was registered before is taken in place of the bound one.
    /// </summary>
    public static OptionsBuilder<T> AddClusterOptions<T>(this IServiceCollection services)
        where T : class, new()
    {
        services.TryAddSingleton<SectionBinder<T>>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<T>, SectionBinder<T>>(static provider => provider.GetRequiredService<SectionBinder<T>>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<T>, SectionBinder<T>>(static provider => provider.GetRequiredService<SectionBinder<T>>()));
        services.TryAddSingleton(static provider => provider.GetRequiredService<IOptions<T>>().Value);
        return services.AddOptions<T>().ValidateOnStart();
    }

    /// <param name="configuration">None leaves the defaults.</param>
    private sealed class SectionBinder<T>(IConfiguration? configuration = null) : IConfigureOptions<T>, IValidateOptions<T>
        where T : class
    {
        private readonly IConfiguration _configuration = configuration ?? new ConfigurationManager();

        public void Configure(T options) => OptionSection.Bind(_configuration, options);

        public ValidateOptionsResult Validate(string? name, T options) =>
            OptionSection.Check(_configuration, options) is { Count: > 0 } mistakes
                ? ValidateOptionsResult.Fail(mistakes.Select(static mistake => mistake.Text))
                : ValidateOptionsResult.Success;
    }
}

/// <summary>Configuration keys of one origin, such as the command line, that knows how a key is written there.</summary>
public sealed class NamedSource : ConfigurationProvider, IConfigurationSource
{
    private readonly Func<string, string> _nameOf;

    /// <param name="values">By key, such as <c>Cluster:HttpPort</c>.</param>
    /// <param name="nameOf">Makes <c>--http-port</c> of that.</param>
    public NamedSource(IReadOnlyDictionary<string, string?> values, Func<string, string> nameOf)
    {
        _nameOf = nameOf;
        foreach (var (key, value) in values)
        {
            Data[key] = value;
        }
    }

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>How the operator wrote the key; one that was not given is named as the origin that wins would name it.</summary>
    internal static string NameOf(IConfiguration configuration, string key)
    {
        var origins = configuration is IConfigurationRoot root ? root.Providers.Reverse().ToList() : [];
        return (origins.Find(origin => origin.TryGet(key, out _) || origin.GetChildKeys([], key).Any()) ?? origins.FirstOrDefault()) switch
        {
            NamedSource named => named._nameOf(key),
            EnvironmentVariablesConfigurationProvider => key.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal),
            _ => key,
        };
    }
}
