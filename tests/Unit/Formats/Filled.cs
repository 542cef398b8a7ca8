using System.Collections;
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Models;

namespace Cluster.Unit.Formats;

/// <summary>Makes an object of which every part has a value that is not its default, the same in every run: what is not written, or not read again, is seen.</summary>
internal static class Filled
{
    private static readonly DateTimeOffset Moment = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static T Make<T>() => (T)Of(typeof(T), typeof(T).Name);

    /// <param name="name">Of what the value is for; texts are made of it.</param>
    private static object Of(Type type, string name)
    {
        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Of(value, name);
        }

        if (type.IsEnum)
        {
            var values = Enum.GetValues(type);
            return values.GetValue(values.Length - 1)!;
        }

        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type))
        {
            return Collection(type, name);
        }

        return type switch
        {
            _ when type == typeof(string) => $"the {name}",
            _ when type == typeof(bool) => true,
            _ when type == typeof(int) => name.Length,
            _ when type == typeof(long) => (long)name.Length,
            _ when type == typeof(double) => name.Length + 0.5,
            _ when type == typeof(TimeSpan) => TimeSpan.FromSeconds(name.Length),
            _ when type == typeof(DateTimeOffset) => Moment.AddMinutes(name.Length),
            _ when type == typeof(SiloAddress) => SiloAddress.FromParsableString("192.0.2.1:11111@7"),
            _ when type == typeof(VersionPolicy) => VersionPolicy.Specific([1, 3]),
            _ => Object(type),
        };
    }

    private static object Collection(Type type, string name)
    {
        var parts = type.GetGenericArguments();
        var item = parts.Length == 1
            ? Of(parts[0], name)
            : Activator.CreateInstance(typeof(KeyValuePair<,>).MakeGenericType(parts), Of(parts[0], name), Of(parts[1], name))!;
        var items = Array.CreateInstance(item.GetType(), 1);
        items.SetValue(item, 0);
        var (maker, method) = type.GetGenericTypeDefinition() switch
        {
            var made when made == typeof(ImmutableArray<>) => (typeof(ImmutableArray), nameof(ImmutableArray.CreateRange)),
            var made when made == typeof(ImmutableHashSet<>) => (typeof(ImmutableHashSet), nameof(ImmutableHashSet.CreateRange)),
            var made when made == typeof(ImmutableSortedSet<>) => (typeof(ImmutableSortedSet), nameof(ImmutableSortedSet.CreateRange)),
            var made when made == typeof(ImmutableDictionary<,>) => (typeof(ImmutableDictionary), nameof(ImmutableDictionary.CreateRange)),
            var made when made == typeof(ImmutableSortedDictionary<,>) => (typeof(ImmutableSortedDictionary), nameof(ImmutableSortedDictionary.CreateRange)),
            _ => throw new NotSupportedException($"{type} is not filled yet: say here how it is made"),
        };
        return maker.GetMethods()
            .Single(candidate => candidate.Name == method && candidate.GetParameters() is [var only] && only.ParameterType.Name == typeof(IEnumerable<>).Name)
            .MakeGenericMethod(parts)
            .Invoke(null, [items])!;
    }

    private static object Object(Type type)
    {
        var constructor = type.GetConstructors().MaxBy(static candidate => candidate.GetParameters().Length);
        var made = constructor is null
            ? RuntimeHelpers.GetUninitializedObject(type)
            : constructor.Invoke([.. constructor.GetParameters().Select(static parameter => Of(parameter.ParameterType, parameter.Name!))]);
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.SetMethod is not null))
        {
            property.SetValue(made, Of(property.PropertyType, property.Name));
        }

        return made;
    }
}
