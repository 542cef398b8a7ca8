using System.Reflection;
using Cluster.Contracts;
using Cluster.Gateway.Hosting;
using Cluster.Grains;
using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Wire;

/// <summary>
/// Two versions of the program in one cluster understand each other's types: what <c>contracts/WireTypes.txt</c> lists stays as it is. Of grain interfaces,
/// Orleans' analyzer keeps the lists <c>OrleansContracts.txt</c>. With WRITE_DOCS=1 in the environment, what is new is added to the file.
/// </summary>
public sealed class WireTypesTests
{
    private const string Retired = "retired ";
    private static readonly string List = Path.Combine(TestPaths.Root, "contracts", "WireTypes.txt");
    private static readonly Assembly[] Ours = [typeof(ClusterGrains).Assembly, typeof(ModelGrains).Assembly, typeof(GatewayOptions).Assembly, typeof(ServeOptions).Assembly];

    private static IEnumerable<Type> Types => Ours.SelectMany(static assembly => assembly.GetTypes()).Where(static type => type.IsDefined(typeof(GenerateSerializerAttribute), inherit: false));

    [Fact]
    public void Alias_OfEveryTypeOnTheWire_IsThereAndItsOwn()
    {
        var aliases = Types.Select(static type => (Type: type, type.GetCustomAttribute<AliasAttribute>()?.Alias)).ToList();

        Assert.All(aliases, static one => Assert.True(one.Alias is not null, $"{one.Type} needs an [Alias]: without, its name is on the wire"));
        Assert.Equal(aliases.Count, aliases.Select(static one => one.Alias).Distinct().Count());
    }

    [Fact]
    public async Task List_OfTheTypesOnTheWire_LosesAndChangesNothing()
    {
        var listed = File.ReadAllLines(List).Where(static line => line.Length > 0 && line[0] != '#').ToHashSet(StringComparer.Ordinal);
        var now = Types.SelectMany(Lines).ToHashSet(StringComparer.Ordinal);
        var retired = listed.Where(static line => line.StartsWith(Retired, StringComparison.Ordinal)).Select(static line => line[Retired.Length..]).ToHashSet(StringComparer.Ordinal);

        var gone = listed.Where(line => !line.StartsWith(Retired, StringComparison.Ordinal) && !now.Contains(line)).Order(StringComparer.Ordinal).ToList();
        Assert.True(gone.Count == 0, $"""
            The version before this one sends or reads what is not there any more:
            {string.Join('\n', gone)}
            Give it back under its id with its type, and new members new ids. A member that no version reads any more: write its line in {List}
            as 'retired <alias> <id>', which keeps the id from being used again. Anything else needs a restart of the whole cluster, and a word in CHANGELOG.md.
            """);
        var again = now.Where(line => retired.Contains(Item(line))).Order(StringComparer.Ordinal).ToList();
        Assert.True(again.Count == 0, $"Ids that are retired are used again; take new ones:\n{string.Join('\n', again)}");
        if (Environment.GetEnvironmentVariable("WRITE_DOCS") == "1")
        {
            var head = File.ReadLines(List).TakeWhile(static line => line.StartsWith('#'));
            await File.WriteAllLinesAsync(List, [.. head, .. listed.Union(now).Order(StringComparer.Ordinal)]);
            return;
        }

        var added = now.Except(listed).Order(StringComparer.Ordinal).ToList();
        Assert.True(added.Count == 0, $"Not in {List} yet; run WRITE_DOCS=1 ./test unit -class '*WireTypesTests':\n{string.Join('\n', added)}");
    }

    /// <summary>Alias and id of a line.</summary>
    private static string Item(string line) => string.Join(' ', line.Split(' ').Take(2));

    private static IEnumerable<string> Lines(Type type)
    {
        var alias = type.GetCustomAttribute<AliasAttribute>()!.Alias;
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{alias} {Convert.ToInt64(Enum.Parse(type, name), System.Globalization.CultureInfo.InvariantCulture)} {name}");
        }

        return type.GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(static member => member.IsDefined(typeof(IdAttribute), inherit: false))
            .Select(member => $"{alias} {member.GetCustomAttribute<IdAttribute>()!.Id} {Name(member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType)}")
            .DefaultIfEmpty($"{alias} - empty");
    }

    /// <summary>A type as the wire knows it: by its alias, else by its name.</summary>
    private static string Name(Type type) =>
        Nullable.GetUnderlyingType(type) is { } value ? Name(value) + "?"
        : type.IsArray ? Name(type.GetElementType()!) + "[]"
        : type.GetCustomAttribute<AliasAttribute>()?.Alias
        ?? (type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(',', type.GenericTypeArguments.Select(Name))}>" : type.Name);
}
