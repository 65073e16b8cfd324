# Writes a value as JSON: hashtables, lists, text, numbers, truth values, dates. ASCII is not required by the protocol, so
# only what JSON itself forbids in text is escaped.
function ConvertTo-SPJson {
    param(
        $Value
    )
    if ($null -eq $Value) {
        return 'null'
    }
    if ($Value -is [string]) {
        $text = $Value.Replace('\', '\\').Replace('"', '\"')
        # Asked first, because making a delegate of a script block costs more than all the rest.
        if ([regex]::IsMatch($text, '[\x00-\x1f]')) {
            $text = [regex]::Replace($text, '[\x00-\x1f]', { param($match) '\u{0:x4}' -f [int][char]$match.Value })
        }
        return '"' + $text + '"'
    }
    if ($Value -is [bool]) {
        if ($Value) {
            return 'true'
        }
        return 'false'
    }
    if ($Value -is [datetime]) {
        $utc = $Value.ToUniversalTime()
        return '"' + $utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [System.Globalization.CultureInfo]::InvariantCulture) + '"'
    }
    if ($Value -is [System.Collections.IDictionary]) {
        $members = foreach ($key in $Value.Keys) {
            (ConvertTo-SPJson -Value ([string]$key)) + ':' + (ConvertTo-SPJson -Value $Value[$key])
        }
        return '{' + ($members -join ',') + '}'
    }
    if ($Value -is [System.Collections.IEnumerable]) {
        $items = foreach ($item in $Value) {
            ConvertTo-SPJson -Value $item
        }
        return '[' + ($items -join ',') + ']'
    }
    return ([System.IFormattable]$Value).ToString($null, [System.Globalization.CultureInfo]::InvariantCulture)
}
